"""deploy/docs against the project: links lead somewhere, statements to their tests, pictures show their text."""
import html
import re
import unittest

from project import ROOT

DOCS = ROOT / "deploy" / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
# [text](target "title"), as Markdown has it; the title of a link into tests/ is the name of the test.
LINK = re.compile(r'\]\(([^)\s"]+)(?:\s+"([^"]*)")?\)')


def links(page):
    """(target as a path, title) of the page's links to files of the project."""
    for target, title in LINK.findall(page.read_text()):
        if not re.match(r"[a-z]+:|#", target):
            yield (page.parent / target.split("#")[0]).resolve(), title


def labels(source):
    """The lines of text of a Graphviz source, without those of attributes that are not shown."""
    text = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    return {line for label in re.findall(r'label="([^"]*)"', text) for line in label.split(r"\n") if line}


class Documents(unittest.TestCase):
    def test_link_only_to_files_that_exist(self):
        missing = [f"{page.name}: {path}" for page in PAGES for path, _ in links(page) if not path.exists()]
        self.assertEqual(missing, [])

    def test_name_tests_that_exist(self):
        wrong = [f"{page.name}: {path.name} has no '{title}'" for page in PAGES for path, title in links(page)
                 if title and path.is_file() and title not in path.read_text()]
        self.assertEqual(wrong, [])

    def test_prove_what_they_say_about_privacy(self):
        text = (DOCS / "privacy.md").read_text()
        statements = re.search(r"^## What is true\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
        bullets = re.findall(r"^- (.*(?:\n  .*)*)", statements, re.MULTILINE)
        self.assertGreater(len(bullets), 20)
        self.assertEqual([b for b in bullets if not re.search(r'\]\(../../tests/[^)]+ "[^"]+"\)', b)], [])

    def test_answer_at_least_fifteen_questions_in_order(self):
        numbers = re.findall(r"^\*\*(\d+)\. ", (DOCS / "privacy.md").read_text(), re.MULTILINE)
        self.assertGreaterEqual(len(numbers), 15)
        self.assertEqual(numbers, [str(n + 1) for n in range(len(numbers))])

    def test_show_diagrams_that_were_drawn_from_their_text(self):
        sources = sorted((DOCS / "diagrams").glob("*.dot"))
        self.assertGreaterEqual(len(sources), 3)
        for source in sources:
            with self.subTest(source.name):
                drawn = html.unescape(source.with_suffix(".svg").read_text())
                shown = set(re.findall(r"<text[^>]*>([^<]*)</text>", drawn))
                self.assertEqual(labels(source.read_text()) - shown, set())


if __name__ == "__main__":
    unittest.main()
