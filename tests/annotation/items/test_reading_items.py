"""Files of items: what every format is read as, what columns are taken to mean, and what is refused, by line."""

import json

import pyarrow as pa
import pytest

from annotation.imports.item_columns import guess_meanings
from tests.annotation.imports.files import write, write_parquet
from tests.annotation.items.files import EVERYTHING, guessed, problems_of, read, reader_of

USER = '[{"content":"What is 2+2?","role":"user"}]'
BRIEF = '[{"content":"Be brief.","role":"system"},{"content":"What is 2+2?","role":"user"}]'
PLAIN = "prompt,response_1,response_2\n"


def chat(*contents, first="user"):
    roles = ["user", "assistant"] if first == "user" else ["assistant", "user"]
    return [{"role": roles[place % 2], "content": content} for place, content in enumerate(contents)]


def test_every_column_of_a_csv_file_is_read(tmp_path):
    assert read(write(tmp_path, EVERYTHING)) == [
        {
            "prompt": BRIEF,
            "turns": ["Four.", 'Five, "maybe".'],
            "models": ["gpt", "llama"],
            "prompt_key": "q1",
            "category": "sums",
            "language": "en",
            "flags": '{"math"}',
            "purpose": "work",
        },
        {
            "prompt": '[{"content":"What is 3+3?","role":"user"}]',
            "turns": ["Six.", "Seven."],
            "models": ["gpt", ""],
            "prompt_key": "q2",
            "purpose": "gold",
            "expected": '[{"question": "better", "values": ["a"]}]',
        },
    ]


@pytest.mark.parametrize("name", ["items.csv", "items.tsv", "items.jsonl", "items.parquet"])
def test_every_format_says_the_same(tmp_path, name):
    rows = [
        {"prompt": "What is 2+2?", "response_1": "Four.", "response_2": "Five.", "cat_sum": True, "tags": ["x", "y"]},
        {"prompt": "2\n+ 2?", "response_1": "4", "response_2": "5", "cat_sum": False, "tags": []},
    ]
    if name.endswith("parquet"):
        path = write_parquet(tmp_path, name, **{key: [row[key] for row in rows] for key in rows[0]})
    elif name.endswith("jsonl"):
        path = write(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), name)
    else:
        mark = "\t" if name.endswith("tsv") else ","
        lines = [mark.join(rows[0]), f'What is 2+2?{mark}Four.{mark}Five.{mark}true{mark}"x,y"']
        path = write(tmp_path, "\n".join([*lines, f'"2\n+ 2?"{mark}4{mark}5{mark}false{mark}']), name)
    assert read(path) == [
        {"prompt": USER, "turns": ["Four.", "Five."], "flags": '{"x","y","sum"}', "purpose": "work"},
        {"prompt": '[{"content":"2\\n+ 2?","role":"user"}]', "turns": ["4", "5"], "purpose": "work"},
    ]


def test_chat_messages_are_read_as_what_is_asked_and_as_turns(tmp_path):
    row = {
        "prompt": chat("What is 2+2?"),
        "chosen": chat("What is 2+2?", "Four.", "Sure?", "Yes."),
        "rejected": chat("Five.", "Sure?", "No.", first="assistant"),
    }
    assert read(write(tmp_path, json.dumps(row), "items.jsonl")) == [
        {
            "prompt": USER,
            "follow_ups": ['[{"content":"Sure?","role":"user"}]'],
            "turns": ["Four.", "Yes.", "Five.", "No."],
            "purpose": "work",
        }
    ]


def test_parquet_holds_chats_as_lists_of_structs(tmp_path):
    message = pa.struct([("content", pa.string()), ("role", pa.string()), ("name", pa.string())])
    both = [pa.array([chat("What is 2+2?", reply)], pa.list_(message)) for reply in ("Four.", "Five.")]
    path = write_parquet(tmp_path, chosen=both[0], rejected=both[1])
    assert read(path) == [{"prompt": USER, "turns": ["Four.", "Five."], "purpose": "work"}]


def test_without_a_prompt_it_is_what_the_chats_have_in_common(tmp_path):
    longer = chat("Hello", "Hi.", "What is 2+2?")
    row = {"chosen": [*longer, *chat("Four.", first="assistant")], "rejected": [*longer, *chat("Five.")[0:0]]}
    row["rejected"] = [*longer, {"role": "assistant", "content": "Five."}]
    (item,) = read(write(tmp_path, json.dumps(row), "items.jsonl"))
    assert (json.loads(item["prompt"]), item["turns"]) == (longer, ["Four.", "Five."])
    alone = {"response": chat("What is 2+2?", "Four.")}
    (item,) = read(write(tmp_path, json.dumps(alone), "one.jsonl"), responses=1)
    assert (item["prompt"], item["turns"]) == (USER, ["Four."])


def test_a_text_may_begin_with_brackets(tmp_path):
    rows = [["[1] says so", "[{}]", '[{"a": 1}, 2]'], ["[", "[]", "[{x} and {y}]"]]
    text = "".join(json.dumps(dict(zip(("prompt", "a", "b"), row, strict=True))) + "\n" for row in rows)
    items = read(write(tmp_path, text, "items.jsonl"), a="response_1", b="response_2")
    assert [item["turns"] for item in items] == [["[{}]", '[{"a": 1}, 2]'], ["[]", "[{x} and {y}]"]]


def test_formulas_controls_and_half_characters_are_kept_as_text_that_the_database_takes(tmp_path):
    path = write(tmp_path, "\ufeff" + PLAIN + '=HYPERLINK("x"),"+1\x00","@SUM(A1)\r\nx"\n')
    assert [item["turns"] for item in read(path)] == [["+1", "@SUM(A1)\nx"]]
    lone = write(tmp_path, '{"prompt": "x\\u0000y", "response_1": "a\\ud800", "response_2": "b"}\n', "items.jsonl")
    (item,) = read(lone)
    assert (item["prompt"], item["turns"]) == ('[{"content":"xy","role":"user"}]', ["a\ufffd", "b"])


def test_equal_prompt_ids_are_one_cluster_and_no_mistake(tmp_path):
    path = write(tmp_path, "prompt_id,prompt,response_1,response_2\n7,a,b,c\n7,a,b,c\n7,d,e,f\n")
    assert [item["prompt_key"] for item in read(path)] == ["7", "7", "7"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("prompt chosen rejected", "prompt response_1 response_2"),
        ("instruction input output", "prompt - response_1"),
        ("Question Answer_A Answer_B model_a model_b winner", "prompt response_1 response_2 model_1 model_2 -"),
        ("prompt completion", "prompt response_1"),
        (
            "prompt completion_a completion_b chosen_model rejected_model",
            "prompt response_1 response_2 model_1 model_2",
        ),
        ("prompt response1 response2 response3 response4", "prompt response_1 response_2 response_3 response_4"),
        ("id question_id system lang tags topic", "- prompt_id system language flags category"),
        ("prompt output_1 output_2 generator_1 cat_math", "prompt response_1 response_2 model_1 flag"),
        ("a b c", "- - -"),
    ],
)
def test_meanings_are_guessed_from_the_names_that_sets_use(names, expected):
    found = guess_meanings(names.split())
    assert [found.get(name, "-") for name in names.split()] == expected.split()


def line(**changed):
    row = {"prompt": "p", "response_1": "x", "response_2": "y"} | changed
    return json.dumps({name: value for name, value in row.items() if value is not None})


REFUSED = {
    "prompt is empty": {"prompt": " \u0000"},
    "1 response; an item of this campaign has 2": {"response_2": ""},
    "3 responses; an item of this campaign has 2": {"response_3": "z"},
    "response_2 is empty, response_3 is not": {"response_2": None, "response_3": "z"},
    "prompt ends with a message from assistant, not from user": {"prompt": chat("a", "b")},
    "prompt begins as chat messages do, but is not JSON": {"prompt": "[{'role': 'user', 'content': 'x'}]"},
    "prompt, message 1: its role is 'human', not system, user or assistant": {
        "prompt": [{"role": "human", "content": "x"}]
    },
    "prompt, message 1: its role is None": {"prompt": [{"from": "human", "value": "x"}]},
    "prompt, message 1: its content is '', not a text": {"prompt": [{"role": "user", "content": ""}]},
    "prompt, message 2: a system message comes first": {
        "prompt": [*chat("x"), {"role": "system", "content": "y"}, *chat("z")]
    },
    "system is given, and prompt has a system message of its own": {
        "prompt": [{"role": "system", "content": "a"}, *chat("b")],
        "system": "c",
    },
    "response_1 begins with a message from user, and not with the prompt": {"response_1": chat("other", "x")},
    "response_1 ends with a message from user, not from assistant": {"response_1": chat("x", "y", first="assistant")},
    "messages from assistant and user do not take turns": {"response_1": [*chat("p", "x"), *chat("p", "x")[1:]]},
    "response_2: between its turns the user says something else than in response_1": {
        "response_1": chat("p", "x", "q", "y"),
        "response_2": chat("p", "x", "r", "y"),
    },
    "category has 121 characters, more than 120": {"category": "x" * 121},
    "prompt_id has 201 characters, more than 200": {"prompt_id": "x" * 201},
    "language has 13 characters, more than 12": {"language": "x" * 13},
    "model_1 has 201 characters, more than 200": {"model_1": "x" * 201},
    "model_3 names the model of a response that is not there": {"model_3": "m"},
    "the flag 'xxxx": {"flags": ["x" * 81]},
    "flags is '[1]', not a list of texts": {"flags": [1]},
    "cat_sum is 'perhaps', not true or false": {"cat_sum": "perhaps"},
    "purpose is 'golden', not work, gold, attention, training, qualification, anchor": {"purpose": "golden"},
    "expected is empty, and the item is for gold": {"purpose": "gold"},
    "expected is 'c' for better, not one of a, b, tie": {"purpose": "gold", "expected": "c"},
    "expected is '{', not readable as JSON": {"purpose": "gold", "expected": "{"},
    "expected is an empty list": {"purpose": "gold", "expected": []},
    "expected names the question 'worth'; the campaign has better, fine, why": {
        "expected": [{"question": "worth", "values": ["a"]}]
    },
    "nothing can be expected of an answer to why": {"expected": [{"question": "why", "values": ["a"]}]},
    "expected names a question twice": {"expected": 2 * [{"question": "better", "values": ["a"]}]},
    "expected holds {'question': 'better'}": {"expected": {"question": "better"}},
    "expected is nothing for better": {"expected": {"question": "better", "values": []}},
    "explanation has 20001 characters": {"explanation": "x" * 20_001},
}


@pytest.mark.parametrize(("said", "changed"), REFUSED.items(), ids=list(REFUSED))
def test_what_is_wrong_is_named_by_line(tmp_path, said, changed):
    known = line(response_3=None, model_1="m", model_3="", system="", category="c", prompt_id="i", language="en")
    also = json.dumps(
        {"response_3": "", "flags": [], "cat_sum": False, "purpose": "", "expected": "", "explanation": ""}
    )
    first = json.dumps(json.loads(known) | json.loads(also))
    path = write(tmp_path, f"{first}\n{line(**changed)}\n{line()}\n", "items.jsonl")
    said_lines = problems_of(path).splitlines()
    assert len(said_lines) == 1
    assert said_lines[0].startswith("line 2: ")
    assert said in said_lines[0]


def test_a_refusal_names_the_column_by_its_own_name(tmp_path):
    path = write(tmp_path, "question,chosen,rejected\n,x,y\nq,,y\n")
    assert problems_of(path) == (
        "line 2: prompt (question) is empty\nline 3: 1 response; an item of this campaign has 2"
    )


def test_a_row_that_is_wrong_in_several_ways_is_named_with_all_of_them(tmp_path):
    path = write(tmp_path, "prompt,response_1,response_2,purpose,cat_x\np,,,gilded,maybe\n")
    assert problems_of(path).splitlines() == [
        "line 2: purpose is 'gilded', not work, gold, attention, training, qualification, anchor",
        "line 2: 0 responses; an item of this campaign has 2",
        "line 2: cat_x is 'maybe', not true or false",
    ]


def test_a_hundred_problems_are_named_and_no_more(tmp_path):
    said = problems_of(write(tmp_path, PLAIN + "p,x,\n" * 5000)).splitlines()
    assert (len(said), said[0].partition(":")[0], said[-2].partition(":")[0]) == (101, "line 2", "line 101")
    assert said[-1] == "and more: only the first 100 are named"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PLAIN, "the file has a header and no items"),
        ("", "the file is empty"),
        (PLAIN.encode("utf-16"), "the file is encoded in UTF-16: save it as UTF-8"),
        ((PLAIN * 3).encode("utf-16-le"), "the file is encoded in UTF-16: save it as UTF-8"),
        ("prompt,prompt,response_1\np,q,r\n", "the header has a column twice: 'prompt'"),
        (",".join(f"c{number}" for number in range(201)) + "\n", "the file has 201 columns, more than 200"),
        ("prompt;a;b\nx;y;z\n", "line 1 has one column, 'prompt;a;b': separate the columns with commas"),
        (PLAIN + "p,x,y\np,x\n", "line 3: 2 cells, the header has 3"),
        (PLAIN.encode() + b"p,x,\xff\n", "line 2: not UTF-8 at byte 5 of the line"),
        (PLAIN + 'p,x,"y\n', "line 2: not readable as CSV from here on"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole_or_by_line(tmp_path, content, said):
    assert said in problems_of(write(tmp_path, content, "items.csv"))


def test_a_column_that_the_file_does_not_have_is_refused(tmp_path):
    path = write(tmp_path, PLAIN + "p,x,y\n")
    assert problems_of(path, topic="category") == "the file has no column 'topic'"
    bytes_column = write_parquet(tmp_path, prompt=[b"\xff"], response_1=["a"], response_2=["b"])
    assert "prompt holds bytes, not text" in problems_of(bytes_column)


def test_more_models_than_there_can_be_are_another_column(tmp_path, monkeypatch):
    monkeypatch.setattr("annotation.imports.item_spool.MOST_MODELS", 2)
    path = write(tmp_path, "prompt,response_1,response_2,model_1\n" + "".join(f"p,x,y,m{n}\n" for n in range(3)))
    assert "more than 2 models: is another column meant?" in problems_of(path)


def test_no_letter_is_expected_where_no_preference_is_asked(tmp_path):
    path = write(tmp_path, PLAIN + "p,x,y\n")
    with pytest.raises(ValueError, match="no preference question it could answer"):
        reader_of(guessed(path), asked=[]).read(
            {"prompt": "p", "response_1": "x", "response_2": "y", "purpose": "gold", "expected": "a"}
        )


def test_content_warnings_are_read_as_the_campaign_names_them(tmp_path):
    header = "prompt,response_1,response_2,content_warning\n"
    path = write(tmp_path, f'{header}a,b,c,"insults, INJURIES and blood"\na,b,c,\n')
    assert [item.get("warnings") for item in read(path)] == ['{"Insults","Injuries and blood"}', None]
    refused = problems_of(write(tmp_path, f"{header}a,b,c,Spiders\n"))
    assert "line 2" in refused
    assert "names 'Spiders'" in refused
