"""What tells who somebody is, found in any text: numbers, addresses, names.

Intake takes it out of free text before anything is written, and publishing refuses to let it out. A text is read
after it has been made plain (full-width digits, spelled-out digits, dashes, spaces, invisible characters), and no
rule relies on a word boundary: between a Chinese character and a digit there is none.

What is decided here, where a number could be two things:

- An ID card is 18 characters with a province, a date of birth and the check character of GB 11643-1999, in any
  grouping; or 15 digits with a province and a date of birth (they had no check character).
- A province and a date of birth with another check character, with none, or as a spreadsheet spoils the number
  (``3.70602198501011E+17``), are an ``id_card_like``: a slip of the pen does not hide a person. Other 18-digit
  numbers are no finds.
- Eleven digits that begin with 13 to 19 are a mobile phone, in one piece or in the groups in which phones are
  written. Dates, pairs of years, decimals and ids of this package are not.
- What has no form of its own (a seat number, a WeChat or QQ name, a local phone, a name on no roster) is found where
  a word before it says what it is: 座号：12, 微信号 lan_88, 我叫王兰; a name also where a title follows and it stands
  at the start of what is said: 感谢王兰老师.
"""

from htresearch.identifiers.finding import Found, any_in, find, mask
from htresearch.identifiers.id_card import as_id_card, check_character
from htresearch.identifiers.names import Names
from htresearch.identifiers.rules import KINDS

__all__ = ["KINDS", "Found", "Names", "any_in", "as_id_card", "check_character", "find", "mask"]
