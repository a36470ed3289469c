"""What HTML contains, read tag by tag."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Collects every tag, attribute and other markup; `parse` returns them."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags = set()
        self.attributes = set()
        self.other = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update((tag, name, value) for name, value in attrs)

    def handle_comment(self, data):
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment

    def handle_data(self, data):
        self.text.append(data)


def parse(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader
