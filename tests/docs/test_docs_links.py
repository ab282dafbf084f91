"""What the guide links to is there, and the guide leads to all of it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from docs.reading import GUIDE, PAGES, PROJECT, anchors_of, blocks_of, links_of, page_name, slug_of

INDEX = PROJECT / "docs/README.md"


def broken(page, link):
    """Why a link leads nowhere; empty when it leads somewhere."""
    if ":" in link.partition("/")[0]:
        address = urlsplit(link)
        return "" if address.scheme == "https" and "." in address.netloc else "no address of https://"
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return "no such file"
    if not target.is_relative_to(PROJECT):
        return "outside of the project"
    if anchor and anchor not in anchors_of(target.read_text("utf-8")):
        return "no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_somewhere(page):
    links = links_of(page.read_text("utf-8"))
    assert {link: why for link in links if (why := broken(page, link))} == {}


def test_the_index_leads_to_every_page():
    seen, due = set(), [INDEX]
    while due:
        page = due.pop()
        seen.add(page)
        paths = [
            (page.parent / link.partition("#")[0]).resolve() for link in links_of(page.read_text("utf-8"))
        ]
        due += [path for path in paths if path.suffix == ".md" and path.exists() and path not in seen]
    assert [page_name(page) for page in GUIDE if page not in seen] == []


def test_the_index_names_every_page_itself():
    named = {link.partition("#")[0] for link in links_of(INDEX.read_text("utf-8"))}
    assert [page.name for page in GUIDE if page != INDEX and page.name not in named] == []


def test_the_readme_is_one_screen_and_leads_to_the_guide():
    text = (PROJECT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    assert "docs/README.md" in links_of(text)


def test_the_guide_has_links_to_look_at():
    assert sum(len(links_of(page.read_text("utf-8"))) for page in PAGES) > 200


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("What may be written", "what-may-be-written"),
        ("One command: `nightbench serve`", "one-command-nightbench-serve"),
        ("CI/CD & you, in 10 min.", "cicd--you-in-10-min"),
        ("`own_rows`, and [links](a.md)", "own_rows-and-links"),
    ],
)
def test_an_anchor_is_as_github_makes_it(heading, slug):
    assert slug_of(heading) == slug


def test_a_heading_that_comes_twice_is_counted():
    assert anchors_of("# A\n## B\n# A\n") == {"a", "b", "a-1"}


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("none.md", "no such file"),
        ("overview.md#none", "no such heading"),
        ("../../elsewhere", "no such file"),
        ("/etc", "outside of the project"),
        ("http://example.org", "no address of https://"),
        ("https://here", "no address of https://"),
        ("https://example.org/a", ""),
        ("verdict.md#as-json", ""),
    ],
)
def test_a_broken_link_is_found(link, why):
    assert broken(INDEX, link) == why


def test_code_holds_no_links():
    text = "[a](b.md) `[c](d.md)` ``[`](e.md)``\n```sh\n[f](g.md)\n```\n"
    assert links_of(text) == ["b.md"]


def test_a_block_that_is_never_closed_is_an_error():
    with pytest.raises(ValueError, match="a page:2: the block is never closed"):
        blocks_of("a page", "text\n```sh\nnightbench\n")
