"""Mail of two kinds, made up from lists of words, for tests of the learner."""

import random
from collections.abc import Iterator

from lazaret.learn.features import Features, Hasher
from lazaret.learn.model import Model, Private
from lazaret.learn.zones import view
from lazaret.mime import message

HASHER = Hasher(b"secret of the tests")
_HAM_WORDS = (
    "meeting agenda minutes review patch kernel merge branch release test failure report question "
    "thanks attached draft budget schedule monday project deadline customer invoice travel lunch "
    "dinner family garden school holiday pictures birthday weekend library compiler python debian "
    "thread reply mailing"
)
_SPAM_WORDS = (
    "free offer winner prize click here buy now cheap pills viagra casino bonus credit loan mortgage "
    "rates guarantee risk unsubscribe remove limited time act urgent transfer million dollars "
    "inheritance bank weight loss enlarge hot singles dating cash income home extra amazing deal "
    "discount order today"
)
_COMMON_WORDS = "the a of to and in is that it for on with as you this be at from have or by we not are"

HAM_WORDS, SPAM_WORDS, COMMON_WORDS = _HAM_WORDS.split(), _SPAM_WORDS.split(), _COMMON_WORDS.split()
HOSTS = {
    "spam": ("shop-4u.example.com", "best-deal.example.com"),
    "ham": ("work.example.org", "lists.example.org"),
}


def mail(
    kind: str, seed: int, *, extra: str = "", sender: str = "", subject: str = "", html: bool = False
) -> bytes:
    """A message of the kind `spam` or `ham`; the same one for the same seed."""
    draw = random.Random(f"{kind}{seed}")
    words = SPAM_WORDS if kind == "spam" else HAM_WORDS
    text = " ".join(draw.choice(words if draw.random() < 0.5 else COMMON_WORDS) for _ in range(120))
    host = draw.choice(HOSTS[kind])
    sender = sender or f"{draw.choice(words)}@{host}"
    subject = subject or " ".join(draw.choice(words) for _ in range(4))
    link = f"http://{host}/{draw.randrange(1000)}"
    body = f"<p>{text} {extra} <a href='{link}'>more</a></p>" if html else f"{text}\n{extra}\n{link}\n"
    kind_of = "html" if html else "plain"
    return (
        f"From: {sender}\nTo: anna@example.org\nSubject: {subject}\n"
        f"Date: Mon, 1 Jan 2024 10:00:00 +0100\nContent-Type: text/{kind_of}\n\n{body}"
    ).encode()


def features(raw: bytes, hasher: Hasher = HASHER) -> Features:
    """The features of raw octets."""
    return hasher.features(view(message.parse(raw)))


def taught(each: int, *, bits: int = 18) -> Model:
    """A model that has learned so many spam and as many ham."""
    model = Model(Private(bits))
    for seed in range(each):
        model.learn(features(mail("spam", seed)), spam=True)
        model.learn(features(mail("ham", seed)), spam=False)
    return model


def unseen(kind: str, count: int = 20) -> Iterator[bytes]:
    """Messages that `taught` has not taught."""
    return (mail(kind, 10_000 + seed) for seed in range(count))
