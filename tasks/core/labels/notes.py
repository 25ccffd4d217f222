"""What is noted of rows of a label file that were placed otherwise than they seem to ask for."""

BY_TEXT = "placed by text: its id is not the corpus's"
LOOSELY = "placed by text but for blanks, entities or an end cut off"
RESPELLED = "id spelled otherwise in the corpus"
REMARKS = "remark that is no text of the corpus"
PLACED = (BY_TEXT, LOOSELY, RESPELLED, REMARKS)
