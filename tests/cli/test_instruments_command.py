"""`caregraph instruments`."""

from importlib.resources import files

from typer.testing import CliRunner

from caregraph.cli.main import app
from caregraph.scoring import instruments

PHQ_9 = files(instruments) / "phq_9.toml"


def run(*arguments):
    return CliRunner().invoke(app, ["instruments", *map(str, arguments)])


def test_list():
    done = run("list")

    assert done.exit_code == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert len(rows.keys() & {one.key for one in instruments.instruments()}) == 17
    assert rows["phq_9"].split()[:7] == ["phq_9", "PHQ-9", "9", "PHQ-9", "total", "as", "published"]
    assert rows["ors"].split()[:7] == ["ors", "ORS", "4", "ORS", "total", "neutral", "names"]


def test_check_of_a_file_that_holds():
    done = run("check", PHQ_9)

    assert (done.exit_code, done.stdout) == (0, f"{PHQ_9}: PHQ-9 has 9 items, 6 vectors hold\n")


def test_check_of_a_file_that_contradicts_itself(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(
        PHQ_9.read_text("utf-8").replace("total = 14 ", "total = 13 ").replace("44249-1", "44249-2"), "utf-8"
    )

    done = run("check", file)

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{file}: vectors.0: total is 14, not 13",
        f"{file}: 44249-2 is no LOINC code: its check digit is wrong",
    ]


def test_check_of_a_file_that_cannot_be_read(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("text = 1", "utf-8")

    done = run("check", file)

    assert (done.exit_code, done.stdout) == (1, f"{file}: text: Expected a text\n")
    assert run("check", tmp_path / "none.toml").exit_code == 2
