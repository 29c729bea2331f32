"""Readers of archives: what each format says, and how far damage reaches."""

import gzip
import json
from pathlib import Path

import pytest

from classifiers.tables import opening
from moderation.protocols.imports.files import UnreadableFileError, chunks, lines, open_archive
from moderation.protocols.imports.json_lines import read_json_lines
from moderation.protocols.imports.rows import UNDECODABLE
from moderation.protocols.imports.tables import MissingColumnError, read_table
from moderation.protocols.imports.wordpress_xml import BrokenExportError, read_wxr

HEAD = '<?xml version="1.0" encoding="UTF-8" ?>\n<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel>\n'
ITEM = "<item><title>خبر</title><link>https://news.example/7</link><wp:post_id>7</wp:post_id>\n"
TAIL = "</item></channel></rss>"


def comment(number: int, approved: str = "1", text: str = "نص", kind: str = "comment") -> str:
    return (
        f"<wp:comment><wp:comment_id>{number}</wp:comment_id><wp:comment_author><![CDATA[ليلى]]></wp:comment_author>"
        f"<wp:comment_content><![CDATA[{text}]]></wp:comment_content><wp:comment_approved>{approved}</wp:comment_approved>"
        f"<wp:comment_type>{kind}</wp:comment_type><wp:comment_parent>0</wp:comment_parent>"
        "<wp:commentmeta><wp:meta_key>akismet</wp:meta_key></wp:commentmeta></wp:comment>\n"
    )


class TestWordPressExport:
    def test_each_comment_says_its_article_and_what_was_decided(self) -> None:
        body = "".join(comment(n, state) for n, state in enumerate(["1", "spam", "trash", "0"], 1))
        rows = list(read_wxr([HEAD + ITEM + body + TAIL]))
        assert [(row.raw["state"], row.raw["reason"]) for row in rows] == [
            ("approved", None),
            ("rejected", "spam"),
            ("rejected", None),
            ("held", None),
        ]
        assert rows[0].raw["thread"] == {"id": "7", "url": "https://news.example/7", "title": "خبر"}
        assert rows[0].raw["author"] == {"name": "ليلى"}
        assert "parent_id" not in rows[0].raw
        assert [row.line for row in rows] == [4, 5, 6, 7]

    def test_times_of_a_database_are_in_utc(self) -> None:
        when = "<wp:comment_date_gmt>2024-05-01 10:00:00</wp:comment_date_gmt></wp:comment>"
        (row,) = read_wxr([HEAD + ITEM + comment(1).replace("</wp:comment>", when) + TAIL])
        assert row.raw["created_at"] == "2024-05-01T10:00:00+00:00"

    def test_pieces_may_break_anywhere(self) -> None:
        whole = HEAD + ITEM + comment(1, text="نص &amp; آخر") + TAIL
        assert list(read_wxr(whole)) == list(read_wxr([whole]))

    def test_pingbacks_and_comments_gone_with_their_article_are_skipped_not_faulty(self) -> None:
        rows = list(read_wxr([HEAD, ITEM, comment(1, kind="pingback"), comment(2, "post-trashed"), TAIL]))
        assert all(row.skipped and not row.fault for row in rows)

    def test_characters_that_xml_does_not_know_are_left_out(self) -> None:
        (row,) = read_wxr([HEAD + ITEM + comment(1, text="قبل\x08بعد") + TAIL])
        assert row.raw["text"] == "قبلبعد"

    def test_a_document_type_is_refused_before_any_entity_is_read(self) -> None:
        bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        with pytest.raises(BrokenExportError, match="document type"):
            list(read_wxr([HEAD.replace("<rss", bomb + "<rss") + ITEM + comment(1, text="x") + TAIL]))

    def test_what_stands_before_the_damage_is_read(self) -> None:
        for damaged, why in ((comment(2)[:50], r"line \d+: .*cut off"), ("<oops></item>", "line 5")):
            reader = read_wxr([HEAD + ITEM + comment(1), damaged])
            assert next(reader).raw["external_id"] == "1"
            with pytest.raises(BrokenExportError, match=why):
                next(reader)

    def test_another_xml_is_no_export(self) -> None:
        with pytest.raises(BrokenExportError, match="not a WordPress export"):
            list(read_wxr(["<html/>"]))


class TestTables:
    def test_wordpress_s_own_table_is_known_by_its_columns(self) -> None:
        table = (
            "comment_ID,comment_post_ID,comment_author_email,comment_content,comment_approved,comment_type,comment_parent\n"
            '5,7,a@b.example,"سطر\nثان",spam,comment,0\n6,7,NULL,نص,1,,5\n'
        )
        rows = list(read_table(table.splitlines(keepends=True), {}, {}, opening=opening))
        assert (rows[0].raw["state"], rows[0].raw["reason"], rows[0].raw["text"]) == (
            "rejected",
            "spam",
            "سطر\nثان",
        )
        assert (rows[1].line, rows[1].raw["parent_id"]) == (4, "5")
        assert "author" not in rows[1].raw

    def test_columns_and_states_can_be_named(self) -> None:
        table = ["Kommentar,Stand\n", "نص,2\n", "نص,9\n"]
        rows = list(
            read_table(table, {"text": "Kommentar", "state": "Stand"}, {"2": "approved"}, opening=opening)
        )
        assert rows[0].raw["state"] == "approved"
        assert "--state" in (rows[1].fault or "")

    @pytest.mark.parametrize("between", [";", "\t"])
    def test_what_sets_fields_apart_is_seen_in_the_first_line(self, between: str) -> None:
        table = [f"text{between}state\n", f'"نص، فيه, فواصل"{between}spam\n']
        (row,) = read_table(table, {}, {}, opening=opening)
        assert (row.raw["text"], row.raw["state"], row.raw["reason"]) == (
            "نص، فيه, فواصل",
            "rejected",
            "spam",
        )

    def test_a_comma_inside_a_quoted_name_sets_nothing_apart(self) -> None:
        table = ['"text";"seen, by whom";"state"\n', "نص;ليلى;approved\n"]
        assert [(row.fault, row.raw["text"]) for row in read_table(table, {}, {}, opening=opening)] == [
            (None, "نص")
        ]

    def test_a_line_that_says_what_sets_fields_apart_is_no_row(self) -> None:
        table = ["sep=;\r\n", "text;state\r\n", "نص;approved\r\n", "نص;maybe\r\n"]
        rows = list(read_table(table, {}, {}, opening=opening))
        assert [(row.line, bool(row.fault)) for row in rows] == [(3, False), (4, True)]

    @pytest.mark.parametrize("header", ["", "state\n", "text\n", "text,state\n"])
    def test_a_table_without_the_columns_it_needs_is_refused_with_those_it_has(self, header: str) -> None:
        with pytest.raises(MissingColumnError):
            list(
                read_table(
                    [header, "x\n"] if header else [],
                    {"text": "body"} if "text,state" in header else {},
                    {},
                    opening=opening,
                )
            )

    def test_rows_of_another_width_and_endless_fields_harm_nobody_else(self) -> None:
        table = ["text,state\n", "a,b,c\n", '"' + "x" * (1 << 20) + "\n", "\n", "نص,approved\n"]
        rows = list(read_table(table, {}, {}, opening=opening))
        assert [(row.line, bool(row.fault)) for row in rows] == [(2, True), (3, True), (5, False)]


class TestLines:
    def test_the_batch_s_own_lines_and_flat_ones_are_read(self) -> None:
        nested = {
            "text": "نص",
            "author": {"email": "a@b.example"},
            "thread": {"id": "1"},
            "state": "rejected",
        }
        flat = {"text": "نص", "lang": "ar", "spam": 1, "labels": {"insult": 0, "odd": 1}}
        rows = list(
            read_json_lines(
                [json.dumps(nested), json.dumps({**nested, "reason": "hate"}), json.dumps(flat)], {}
            )
        )
        assert rows[0].raw["author"] == {"email": "a@b.example"}
        assert rows[1].raw["reason"] == "hate"
        assert (rows[2].labels, rows[2].raw["language"]) == ({"spam": 1, "insult": 0}, "ar")

    @pytest.mark.parametrize(
        "line",
        [
            "{",
            "[1]",
            '{"text":"x"}',
            '{"text":"x","spam":2}',
            '{"text":"' + UNDECODABLE + '"}',
            "9" * (2 << 20),
        ],
    )
    def test_a_bad_line_is_a_fault_and_the_next_is_read(self, line: str) -> None:
        bad, good = read_json_lines([line, '{"text":"x","state":"approve"}'], {})
        assert bad.fault
        assert not good.fault


class TestFiles:
    def test_plain_and_packed_files_are_the_same_and_bytes_of_another_encoding_are_marked(
        self, tmp_path: Path
    ) -> None:
        content = "نص".encode() + b"\n\xe9\xe8\n"
        plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
        plain.write_bytes(content)
        packed.write_bytes(gzip.compress(content))
        for path in (plain, packed):
            with open_archive(path, encoding="utf-8-sig", file_format=None) as archive:
                assert archive.format == "csv"
                assert list(lines(archive)) == ["نص\n", UNDECODABLE * 2 + "\n"]

    @pytest.mark.parametrize(
        ("written", "named"), [("utf-8-sig", "utf-8"), ("utf-8-sig", None), ("utf-16", "utf-16-le")]
    )
    def test_a_mark_says_more_than_a_name(self, tmp_path: Path, written: str, named: str | None) -> None:
        (tmp_path / "a.csv").write_bytes("نص\n".encode(written))
        with open_archive(tmp_path / "a.csv", encoding=named, file_format=None) as archive:
            assert list(lines(archive)) == ["نص\n"]

    def test_a_packed_file_that_is_cut_off_is_read_up_to_there(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xml.gz"
        path.write_bytes(gzip.compress(b"x" * 500_000 + bytes(range(256)) * 100)[:-40])
        with (
            open_archive(path, encoding="utf-8", file_format=None) as archive,
            pytest.raises(UnreadableFileError),
        ):
            list(chunks(archive))

    def test_a_name_that_says_nothing_and_an_unknown_encoding_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "dump").write_text("x")
        for encoding in ("utf-8", "klingon"):
            with (
                pytest.raises(UnreadableFileError),
                open_archive(tmp_path / "dump", encoding=encoding, file_format=None),
            ):
                pass
