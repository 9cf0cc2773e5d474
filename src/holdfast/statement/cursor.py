"""A place in one statement's tokens, and the words every rule of the grammar is written with.

Rules: `accept_...` moves on and says whether it did, `expect_...` moves on or raises, `at_...` only looks.
"""

from itertools import islice
from typing import NoReturn

from holdfast import codes
from holdfast.errors import StatementError
from holdfast.statement.lexer import Kind, Token, name_value, string_value, tokens
from holdfast.statement.mask import mask_secrets

_NEAR_CHARS_MAX = 80  # what MySQL and OceanBase quote
_DIGITS_MAX = 19  # also keeps int() of hostile texts cheap
_INTEGER_MAX = 2**63 - 1  # what columns and records hold
_NAME_KINDS = frozenset({Kind.NAME, Kind.QUOTED_NAME})


class Cursor:
    """A position in the tokens of `text`. A `;` after the last token is not part of the statement.

    `tokens_max`: how many of the first ones are asked for; all, where it is not given.
    """

    def __init__(self, text: str, *, tokens_max: int | None = None) -> None:
        self._tokens = list(islice(tokens(text), tokens_max))
        if self._tokens and self._tokens[-1].text == ";":
            text = text[: self._tokens.pop().start]
        self._text = text.rstrip()
        self._end = Token(Kind.PUNCTUATION, "", len(self._text), len(self._text))
        self._index = 0

    # --- looking ---

    def token(self, ahead: int = 0) -> Token:
        """Return the token `ahead` of here; beyond the last one, an empty PUNCTUATION token at the end of the text."""
        index = self._index + ahead
        return self._tokens[index] if index < len(self._tokens) else self._end

    def at_end(self) -> bool:
        return self._index >= len(self._tokens)

    def at_words(self, *words: str) -> bool:
        """Return whether the next tokens are these keywords (given in upper case), none of them quoted."""
        return all(self.token(ahead).word == word for ahead, word in enumerate(words))

    def at_mark(self, mark: str, ahead: int = 0) -> bool:
        token = self.token(ahead)
        return token.kind is Kind.PUNCTUATION and token.text == mark

    def at_string(self, ahead: int = 0) -> bool:
        return self.token(ahead).kind is Kind.STRING

    def at_name(self, ahead: int = 0) -> bool:
        return self.token(ahead).kind in _NAME_KINDS

    # --- moving ---

    def advance(self) -> Token:
        """Return the token here and move past it. Only after a look has shown that there is one."""
        token = self._tokens[self._index]
        self._index += 1
        return token

    def accept_words(self, *words: str) -> bool:
        if not self.at_words(*words):
            return False
        self._index += len(words)
        return True

    def accept_one_of(self, *words: str) -> str:
        """Return the keyword found, in upper case, or the empty string."""
        word = self.token().word
        if word not in words:
            return ""
        self._index += 1
        return word

    def accept_mark(self, mark: str) -> bool:
        if not self.at_mark(mark):
            return False
        self._index += 1
        return True

    def expect_words(self, *words: str) -> None:
        # Word by word, so that the error is near the first wrong one.
        for word in words:
            if not self.accept_words(word):
                self.fail()

    def expect_one_of(self, *words: str) -> str:
        return self.accept_one_of(*words) or self.fail()

    def expect_mark(self, mark: str) -> None:
        if not self.accept_mark(mark):
            self.fail()

    def skip_equal(self) -> None:
        """Pass over the equal sign where the grammar makes it optional."""
        self.accept_mark("=")

    def expect_string(self) -> str:
        """Return the value of a string; adjacent strings are one, as in MySQL."""
        if not self.at_string():
            self.fail()
        value = string_value(self.advance())
        while self.at_string():
            value += string_value(self.advance())
        return value

    def expect_name(self) -> str:
        """Return a name: bare (any keyword too) or in backticks."""
        if not self.at_name():
            self.fail()
        return name_value(self.advance())

    def expect_name_or_string(self) -> str:
        """Return a name as tenant, unit, pool and zone names are written: bare, in backticks or as a string."""
        return self.expect_string() if self.at_string() else self.expect_name()

    def expect_integer(self) -> int:
        """Return an unsigned decimal number of at most 63 bits."""
        token = self.token()
        if not (token.kind is Kind.NUMBER and token.text.isdigit() and len(token.text) <= _DIGITS_MAX):
            self.fail()
        if int(token.text) > _INTEGER_MAX:
            self.fail()
        self._index += 1
        return int(token.text)

    def expect_end(self) -> None:
        if not self.at_end():
            self.fail()

    def skip_rest(self) -> None:
        self._index = len(self._tokens)

    def take_text_to_last(self, count: int) -> str:
        """Return the text from here up to the last `count` tokens, as written, and move there.

        Fails at the end of the text when no token is left for it.
        """
        stop = len(self._tokens) - count
        if stop <= self._index:
            self.fail()
        value = self._text[self.token().start : self._tokens[stop - 1].end]
        self._index = stop
        return value

    def rest(self) -> tuple[Token, ...]:
        """Return the tokens from here to the end, without moving."""
        return tuple(self._tokens[self._index :])

    def from_end(self, count: int) -> tuple[Token, ...]:
        """Return the last `count` tokens that are not before here, fewer if there are fewer."""
        return tuple(self._tokens[max(self._index, len(self._tokens) - count) :])

    def fail(self, at: Token | None = None) -> NoReturn:
        """Raise MySQL's syntax error (1064) near the token here, or near `at`."""
        offset = (at or self.token()).start
        line = self._text.count("\n", 0, offset) + 1
        message = codes.OB_ERR_PARSE_SQL.text(codes.OB_ERR_PARSER_SYNTAX.default, self._near(offset), line)
        raise StatementError(message, code=codes.OB_ERR_PARSE_SQL)

    def _near(self, offset: int) -> str:
        """Return the first 80 characters from `offset` on, passwords and keys masked.

        The whole text is masked, not the rest alone: what a string means is told by the words before it.
        """
        head, whole = mask_secrets(self._text[:offset]), mask_secrets(self._text)
        rest = whole[len(head) :] if whole.startswith(head) else mask_secrets(self._text[offset:])
        return rest[:_NEAR_CHARS_MAX]
