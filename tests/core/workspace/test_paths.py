import pytest

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name


@pytest.mark.parametrize("name", ["emotion", "reason_for-complaint", "2024", "a" * 63])
def test_plain_names_are_accepted(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A", "-a", "_a", "a" * 64, "a.b", "é", "a\n"])
def test_names_that_could_leave_the_root_are_refused(name):
    with pytest.raises(InputError, match="expected 1 to 63 of a-z"):
        check_name(name)


def test_the_name_of_the_generic_space_is_kept():
    with pytest.raises(InputError, match="kept for the untransformed vectors"):
        check_name("base")
