"""Every format says the same; what is broken is named by its line."""

import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from tests.annotation.imports.files import problems_of, read, write, write_parquet

FULL = (
    "a,b,outcome,judge,prompt,category,language,date,strength,cat_math,cat_code,note\n"
    'm1,m2,a,ann,p1,"maths, hard",en,2026-11-20,2,true,,x\n'
    "m2,m3,tie,,p2,,de,2026-11-20T10:30:00+02:00,0,0,1,\n"
    "m3,m1,both_bad,bob,,,,,,,,\n"
)
FULL_VOTES = [
    {
        "a": "m1",
        "b": "m2",
        "outcome": "a",
        "strength": 2.0,
        "judge": "ann",
        "prompt": "p1",
        "category": "maths, hard",
        "language": "en",
        "flags": '{"math"}',
        "judged_at": datetime(2026, 11, 20, tzinfo=UTC),
    },
    {
        "a": "m2",
        "b": "m3",
        "outcome": "tie",
        "strength": 0.0,
        "prompt": "p2",
        "language": "de",
        "flags": '{"code"}',
        "judged_at": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    },
    {"a": "m3", "b": "m1", "outcome": "both_bad", "judge": "bob"},
]


def full_jsonl() -> str:
    rows = [
        {"a": "m1", "b": "m2", "outcome": "a", "judge": "ann", "prompt": "p1", "category": "maths, hard"}
        | {"language": "en", "date": "2026-11-20", "strength": 2, "cat_math": True, "note": {"any": ["thing"]}},
        {"a": "m2", "b": "m3", "outcome": "tie", "judge": None, "prompt": "p2", "language": "de"}
        | {"date": "2026-11-20T10:30:00+02:00", "strength": 0.0, "cat_math": False, "cat_code": 1},
        {"a": "m3", "b": "m1", "outcome": "both_bad", "judge": "bob"},
    ]
    return "\n".join(json.dumps(row) for row in rows)


def full_parquet(folder):
    return write_parquet(
        folder,
        a=["m1", "m2", "m3"],
        b=["m2", "m3", "m1"],
        outcome=pa.array(["a", "tie", "both_bad"]).dictionary_encode(),
        judge=["ann", None, "bob"],
        prompt=["p1", "p2", None],
        category=["maths, hard", None, None],
        language=["en", "de", None],
        date=pa.array([datetime(2026, 11, 20), datetime(2026, 11, 20, 8, 30), None], pa.timestamp("ns")),
        strength=pa.array([2, 0, None], pa.int8()),
        cat_math=[True, False, None],
        cat_code=pa.array([None, 1, 0], pa.int64()),
        note=["x", None, None],
    )


def test_a_csv_file_is_read(tmp_path):
    assert read(write(tmp_path, FULL)) == FULL_VOTES


def test_a_jsonl_file_says_the_same(tmp_path):
    assert read(write(tmp_path, full_jsonl(), "votes.jsonl")) == FULL_VOTES


def test_a_parquet_file_says_the_same(tmp_path):
    assert read(full_parquet(tmp_path)) == FULL_VOTES


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path):
    assert read(write(tmp_path, b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())) == FULL_VOTES
    assert read(write(tmp_path, b"\xef\xbb\xbf" + full_jsonl().encode(), "votes.jsonl")) == FULL_VOTES


def test_a_file_without_an_extension_is_known_by_what_it_holds(tmp_path):
    assert read(write(tmp_path, FULL, "votes")) == FULL_VOTES
    assert read(write(tmp_path, full_jsonl(), "lines")) == FULL_VOTES
    assert read(full_parquet(tmp_path).rename(tmp_path / "columns")) == FULL_VOTES


def test_cells_that_begin_like_formulas_are_names_like_any_other(tmp_path):
    text = 'a,b,outcome\n"=HYPERLINK(""http://x"")",+1 model,a\n@sum,-m,b\n'
    assert [(vote["a"], vote["b"]) for vote in read(write(tmp_path, text))] == [
        ('=HYPERLINK("http://x")', "+1 model"),
        ("@sum", "-m"),
    ]


def test_names_are_tidied_so_that_one_name_is_one_contestant(tmp_path):
    text = "a,b,outcome\n m1 ,m\x00 2,a\nm1,m\t  2,B\n"
    assert read(write(tmp_path, text)) == [
        {"a": "m1", "b": "m 2", "outcome": "a"},
        {"a": "m1", "b": "m 2", "outcome": "b"},
    ]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("model_a", "a"), ("model_b", "b"), ("tie (bothbad)", "both_bad"), ("bothbad", "both_bad"), ("TIE", "tie")]
    + [(word, word) for word in ("a", "b", "tie", "both_bad", "cannot_compare")],
)
def test_documented_words_for_outcomes(tmp_path, word, outcome):
    assert read(write(tmp_path, f"a,b,outcome\nx,y,{word}\n"))[0]["outcome"] == outcome


def test_lone_surrogates_and_controls_in_json_do_no_harm(tmp_path):
    text = '{"a": "x\\ud800", "b": "y\\u0000z", "outcome": "a"}'
    assert read(write(tmp_path, text, "v.jsonl")) == [{"a": "x\ufffd", "b": "yz", "outcome": "a"}]


def test_strengths_may_be_fractions(tmp_path):
    text = "a,b,outcome,strength\nx,y,a,0.5\nx,y,b,-1e-2\nx,y,tie,\n"
    assert [vote.get("strength") for vote in read(write(tmp_path, text))] == [0.5, -0.01, None]


def test_a_strength_of_nothing_beside_an_outcome_without_sides_is_no_strength(tmp_path):
    text = "a,b,outcome,strength\nx,y,both_bad,0\nx,y,cannot_compare,0\n"
    assert read(write(tmp_path, text)) == [
        {"a": "x", "b": "y", "outcome": "both_bad"},
        {"a": "x", "b": "y", "outcome": "cannot_compare"},
    ]


def test_dates_of_parquet_files(tmp_path):
    path = write_parquet(tmp_path, a=["x"], b=["y"], outcome=["a"], date=pa.array([date(1872, 11, 30)]))
    assert read(path)[0]["judged_at"] == datetime(1872, 11, 30, tzinfo=UTC)


def test_many_chunks_keep_the_order_and_the_codes(tmp_path):
    rows = [(f"m{n % 7}", f"m{(n + 1) % 7}", "ab"[n % 2], f"j{n % 11}") for n in range(45_000)]
    text = "a,b,outcome,judge\n" + "\n".join(",".join(row) for row in rows)
    votes = read(write(tmp_path, text))
    assert [(v["a"], v["b"], v["outcome"], v["judge"]) for v in votes] == rows


HEADER = "a,b,outcome,strength,date,language,cat_x\n"
BROKEN_LINES = [
    (",y,a,,,,", "a is empty"),
    ("x, ,a,,,,", "b is empty"),
    ("x,y,,,,,", "outcome is empty"),
    ("x,y,left,,,,", "outcome is 'left', not one of a, b, tie, cannot_compare, both_bad"),
    ("x,y,a,NaN,,,", "strength is 'NaN', not a number"),
    ("x,y,a,inf,,,", "strength is 'inf', not a number"),
    ("x,y,a,1_0,,,", "strength is '1_0', not a number"),
    ("x,y,a,1e12,,,", "strength is 1e+12, not a number up to 1e+09"),
    ("x,y,a,-2,,,", "strength -2 contradicts the outcome a (plus: a is better, 0: no difference)"),
    ("x,y,b,0,,,", "strength 0 contradicts the outcome b (plus: a is better, 0: no difference)"),
    ("x,y,tie,1,,,", "strength 1 contradicts the outcome tie (plus: a is better, 0: no difference)"),
    ("x,y,both_bad,1,,,", "strength 1 contradicts the outcome both_bad (plus: a is better, 0: no difference)"),
    ("x,y,a,,2026-13-01,,", "date is '2026-13-01', not as in 2026-11-21 or 2026-11-21T08:30:00Z"),
    ("x,y,a,,21/11/2026,,", "date is '21/11/2026', not as in 2026-11-21 or 2026-11-21T08:30:00Z"),
    ("x,y,a,,0001-01-01,,", "date is '0001-01-01', out of range"),
    ("x,y,a,,2999-01-01,,", "date is '2999-01-01', in the future"),
    ("x,y,a,,,German (Swiss),", "language has 14 characters, more than 12"),
    ("x,y,a,,,,maybe", "cat_x is 'maybe', not true or false"),
    (f"{'x' * 201},y,a,,,,", "a has 201 characters, more than 200"),
    ("x,y,a", "3 cells, the header has 7"),
    ("x,y,a,,,,,", "8 cells, the header has 7"),
]


@pytest.mark.parametrize(("line", "problem"), BROKEN_LINES)
def test_a_broken_line_is_named(tmp_path, line, problem):
    assert problems_of(write(tmp_path, f"{HEADER}x,y,a,,,,\n{line}\nx,y,b,,,,\n")) == f"line 3: {problem}"


def test_lines_are_those_of_the_file_also_after_cells_over_several_lines(tmp_path):
    text = 'a,b,outcome,note\n\nx,y,a,"one\ntwo\nthree"\n\nx,y,q,\n'
    assert problems_of(write(tmp_path, text)) == (
        "line 7: outcome is 'q', not one of a, b, tie, cannot_compare, both_bad"
    )


def test_all_problems_are_named_in_the_order_of_the_file_up_to_twenty(tmp_path):
    two = problems_of(write(tmp_path, "a,b,outcome\n,y,q\nx,y\n"))
    assert two == (
        "line 2: a is empty\n"
        "line 2: outcome is 'q', not one of a, b, tie, cannot_compare, both_bad\n"
        "line 3: 2 cells, the header has 3"
    )
    many = problems_of(write(tmp_path, "a,b,outcome\n" + ",y,a\n" * 50_000)).splitlines()
    assert many == [
        *[f"line {n}: a is empty" for n in range(2, 22)],
        "and more: only the first 20 are named",
    ]


BROKEN_FILES = {
    "empty": ("votes.csv", b"", "the file is empty"),
    "blank": ("votes.csv", b" \n\n", "the file is empty"),
    "header alone": ("votes.csv", b"a,b,outcome\n", "the file has a header and no votes"),
    "one contestant": ("votes.csv", b"a,b,outcome\nx,x,a\nx,x,tie\n", "every vote compares 'x' with itself"),
    "missing column": (
        "votes.csv",
        b"a,b,winner\nx,y,a\n",
        "the header has no column outcome; it has 'a', 'b', 'winner'",
    ),
    "column twice": ("votes.csv", b"a,b,outcome,a\nx,y,a,z\n", "the header has a column twice: 'a'"),
    "semicolons": (
        "votes.csv",
        b"a;b;outcome\nx;y;a\n",
        "line 1 has one column, 'a;b;outcome': separate the columns with commas",
    ),
    "flag without name": ("votes.csv", b"a,b,outcome,cat_\nx,y,a,1\n", "the column 'cat_' names no category"),
    "utf-16": ("votes.csv", "a,b,outcome\nx,y,a\n".encode("utf-16"), "the file is encoded in UTF-16: save it as UTF-8"),
    "utf-16 without a mark": (
        "votes.csv",
        "a,b,outcome\nx,y,a\n".encode("utf-16-le"),
        "the file is encoded in UTF-16: save it as UTF-8",
    ),
    "utf-32": ("votes.csv", "a,b,outcome\n".encode("utf-32"), "the file is encoded in UTF-32: save it as UTF-8"),
    "latin-1": (
        "votes.csv",
        "a,b,outcome\nx,y,a\nZoë,y,a\n".encode("latin-1"),
        "line 3: not UTF-8 at byte 3 of the line",
    ),
    "quote that never ends": (
        "votes.csv",
        b'a,b,outcome\nx,y,a\n"x,y,a\nx,y,b\n',
        "line 3: not readable as CSV from here on: unexpected end of data",
    ),
    "endless line": (
        "votes.csv",
        b"a,b,outcome\n" + b"x" * 1_000_001,
        "line 2: more than 1000000 bytes without a line end",
    ),
    "gzip": (
        "votes.csv",
        b"\x1f\x8b\x08\x00rest",
        "the file is compressed, or a workbook: unpack it, or save it as CSV, JSONL or Parquet",
    ),
    "JSON array": ("votes.jsonl", b'[{"a": "x"}]', "the file holds one JSON array: write one object per line instead"),
    "CSV named JSONL": ("votes.csv", b'{"a": "x"}', "the file is named .csv but holds JSONL: name it as what it is"),
    "no Parquet": (
        "votes.parquet",
        b"a,b,outcome\n",
        "the file is named .parquet but does not begin as a Parquet file does",
    ),
    "JSON syntax": (
        "v.jsonl",
        b'{"a": "x", "b": "y", "outcome": "a"}\n{"a": "x",}\n',
        "line 2: not JSON: Illegal trailing comma before end of object, column 10",
    ),
    "NaN in JSON": (
        "v.jsonl",
        b'{"a": "x", "b": "y", "outcome": "a", "strength": NaN}',
        "line 1: NaN is not a number JSON knows",
    ),
    "no object": ("v.jsonl", b'{"a": "x", "b": "y", "outcome": "a"}\n[1]\n', "line 2: [1] is not an object"),
    "member twice": (
        "v.jsonl",
        b'{"a": "x", "a": "z", "b": "y", "outcome": "a"}',
        "line 1: the member 'a' is there twice",
    ),
    "deep nesting": (
        "v.jsonl",
        b'{"a": "x", "b": "y", "outcome": "a"}\n' + b'{"a":' + b"[" * 100_000,
        "line 2: nested too deeply",
    ),
    "huge integer": (
        "v.jsonl",
        b'{"a": ' + b"9" * 5000 + b', "b": "y", "outcome": "a"}',
        "line 1: an integer of 5000 digits",
    ),
    "missing member": (
        "v.jsonl",
        b'{"a": "x", "b": "y", "outcome": "a"}\n{"a": "x", "outcome": "a"}\n',
        "line 2: b is empty",
    ),
    "wrong JSON type": (
        "v.jsonl",
        b'{"a": ["x"], "b": "y", "outcome": "a"}',
        "line 1: a is ['x'], not text or a whole number",
    ),
    "wrong JSON flag": (
        "v.jsonl",
        b'{"a": "x", "b": "y", "outcome": "a", "cat_x": 2}',
        "line 1: cat_x is 2, not true or false",
    ),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_refused_by_name(tmp_path, case):
    name, content, problem = BROKEN_FILES[case]
    found = problems_of(write(tmp_path, content, name))
    if "trailing comma" in problem:
        # The words are Python's and differ between its versions.
        assert found.startswith("line 2: not JSON: ")
    else:
        assert found == problem


def test_a_torn_parquet_file_is_refused(tmp_path):
    path = full_parquet(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    assert problems_of(path).startswith("not readable as Parquet: ")


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": [1.5]}, "a holds double, not text or whole numbers"),
        ({"a": [["x"]]}, "a holds list<element: string>, not text or whole numbers"),
        ({"strength": [True]}, "strength holds bool, not numbers"),
        ({"date": [1.0]}, "date holds double, not dates"),
        ({"cat_x": [0.5]}, "cat_x holds double, not true and false"),
        ({"strength": [float("nan")]}, "row 1: strength is nan, not a number up to 1e+09"),
        ({"strength": [-1.5]}, "row 1: strength -1.5 contradicts the outcome a (plus: a is better, 0: no difference)"),
        ({"outcome": ["c"]}, "row 1: outcome is 'c', not one of a, b, tie, cannot_compare, both_bad"),
        ({"a": [None]}, "row 1: a is empty"),
        ({"cat_x": [7]}, "row 1: cat_x is '7', not true or false"),
        ({"date": pa.array([2**62], pa.timestamp("us"))}, "row 1: date is out of range, or in the future"),
    ],
)
def test_a_broken_parquet_file_is_refused_by_name(tmp_path, columns, problem):
    good = {"a": ["x"], "b": ["y"], "outcome": ["a"]}
    assert problems_of(write_parquet(tmp_path, **(good | columns))) == problem


def test_whole_numbers_are_names_too(tmp_path):
    path = write_parquet(tmp_path, a=[1], b=[2], outcome=["b"], prompt=[81], judge=[7])
    assert read(path) == [{"a": "1", "b": "2", "outcome": "b", "prompt": "81", "judge": "7"}]
