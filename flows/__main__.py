"""`python -m flows` is `refract`, in a checkout."""

from flows.cli import main
from flows.warm.ending import end_by

end_by(main)
