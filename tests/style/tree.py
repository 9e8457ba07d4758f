"""The files of a source tree, as the style rules see them."""

import pathlib
import re

CODE = {'.h', '.cc', '.cu', '.cuh'}
TEXT = CODE | {'.c', '.py', '.js', '.mjs', '.css', '.html', '.cmake', '.sh', '.toml', '.txt'}
SKIPPED = {'build', 'node_modules', 'data', '.git', '__pycache__'}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def files(self, folders, suffixes):
        """Paths below the folders, relative to the root, sorted."""
        found = []
        for folder in folders:
            for path in (self.root / folder).rglob('*'):
                relative = path.relative_to(self.root)
                if path.is_file() and path.suffix in suffixes and not SKIPPED & set(relative.parts):
                    found.append(relative)
        return sorted(found)

    def text(self, path):
        return (self.root / path).read_text(encoding='utf-8')

    def code(self, path):
        """The text with comments and literals blanked; every line keeps its number."""
        return COMMENT_OR_STRING.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), self.text(path))

    def includes(self, path):
        """(line, '"' or '<', name) of each include."""
        text = self.text(path)
        return [(text.count('\n', 0, m.start(1)) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]
