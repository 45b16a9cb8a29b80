"""A manifest is read as spreadsheets write it; what cannot be read is called by its name."""

import pytest

from bincount.errors import BincountError
from bincount.site.manifest import Manifest, read_manifest

PLAIN = "id,expected\n00001,3\naisle 2/00002,0\n"
EXPECTED = {"00001": 3, "aisle 2/00002": 0}


def read(text: str | bytes) -> Manifest:
    return read_manifest(text if isinstance(text, bytes) else text.encode(), name="m.csv")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        f"sep=,\n{PLAIN}",
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        PLAIN + "\n",
        PLAIN.replace("3\n", "3\n\n,\n , \n"),
        "id;Anzahl;expected\n00001;;3,0\naisle 2/00002;;0,00\n;;\n",
        PLAIN.replace("3\n", "3.0\n"),
        PLAIN.replace("00001", '"00001"'),
        PLAIN.replace("id,expected", " ID , Expected"),
        PLAIN.replace("00001", "00001.jpg").replace("00002", "00002.HEIC"),
        PLAIN.replace("aisle 2/", "aisle 2\\"),
        PLAIN.replace("00001", "./00001"),
    ],
)
def test_a_spreadsheet_s_csv_is_read_whatever_its_form(data: str | bytes) -> None:
    assert read(data).expected == EXPECTED


def test_an_id_is_one_whichever_way_its_letters_are_written() -> None:
    assert list(read("id,expected\nu\u0308ber,1\n").expected) == ["\u00fcber"]


def test_the_order_and_the_other_columns_are_kept() -> None:
    found = read("Aisle,expected,id,Count,,note\n7,3,b,x,,late\n8,1,a\n")
    assert list(found.expected) == ["b", "a"]
    assert found.columns == ("Aisle", "manifest_Count", "note")
    assert found.others == {"b": ("7", "x", "late"), "a": ("8", "", "")}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "columns id and expected, separated by comma, semicolon, tab, bar; got nothing"),
        ("bin,count\n1,2\n", "columns id and expected.*got 'bin,count'"),
        ("id:expected\n1:2\n", "columns id and expected.*got 'id:expected'"),
        ("id,expected\n1,three\n", "line 2: expected is a whole number from 0 to 999999, got 'three'"),
        ("id,expected\n1,-1\n", "line 2: .* got '-1'"),
        ("id,expected\n1,3.5\n", "line 2: .* got '3.5'"),
        ('id,expected\n1,"1,000"\n', "line 2: .* got '1,000'"),
        ("id,expected\n1,1000000\n", "line 2: .* got '1000000'"),
        ("id,expected\n1,²\n", "line 2: "),
        ("id,expected\n1\n", "line 2: .* got ''"),
        ("sep=,\nid,expected\n\n,1\n", "line 4: no id"),
        ("sep=;", "columns id and expected, separated by semicolon; got nothing"),
        ("sep=,\nid;expected\n1;2\n", "separated by comma; got 'id;expected'"),
        ("id,expected\n1," + "9" * 5000, "line 2: .* got '99999"),
        ("id,expected\n1,1\n1.jpg,2\n", "line 3: the id '1' is there twice"),
        ("id,expected\na\\b,1\na/b,2\n", "line 3: the id 'a/b' is there twice"),
        (b"PK\x03\x04\x14\x00", r" is an Excel workbook \(.xlsx\).*: save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1", r" is an Excel workbook \(.xls\).*: save it as CSV"),
        (b"id,expected\ncaf\xe9,1\n", "not UTF-8 text .*: save it as CSV"),
        (PLAIN.encode("utf-16-le"), "NUL bytes.*: save it as CSV"),
    ],
)
def test_a_faulty_manifest_is_rejected_with_line_and_reason(data: str | bytes, words: str) -> None:
    with pytest.raises(BincountError, match=f"^m.csv.*{words}") as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_only_the_first_faults_of_a_manifest_are_reported() -> None:
    with pytest.raises(BincountError) as caught:
        read("id,expected\n" + "".join(f"{n},x\n" for n in range(100_000)))
    assert str(caught.value).count("line ") == 5
