"""What to write instead of a key that there is not."""

from lazaret.config.options import CHECK_OPTIONS, OPTIONS, SECTIONS
from lazaret.config.problems import nearest
from lazaret.config.settings import Setting


def instead_of(setting: Setting) -> str:
    """The rest of the error line: what is wrong with the key, and the key that was probably meant."""
    name = setting.path[-1]
    if setting.path[0] == "checks":
        return f"no such option; a check is configured as [checks.NAME] with {', '.join(CHECK_OPTIONS)}"
    if len(setting.path) == 1 and name in SECTIONS:
        return f"is a section, not an option; write [{name}] on a line of its own"
    if len(setting.path) == 1 and isinstance(setting.value, dict):
        meant = nearest(name, SECTIONS)
        return f"no such section; did you mean [{meant}]?" if meant else f"no such section; {_all_sections()}"
    meant = _likely_key(setting)
    return f"no such option; did you mean {meant}?" if meant else f"no such option; {_all_keys(setting)}"


def _likely_key(setting: Setting) -> str:
    """A key like it in its section, else the same name or one like it in other sections."""
    section, name = setting.path[:-1], setting.path[-1]
    near = nearest(name, [path[-1] for path in OPTIONS if path[:-1] == section])
    if near:
        return ".".join((*section, near))
    elsewhere = nearest(name, [path[-1] for path in OPTIONS])
    return " or ".join(".".join(path) for path in OPTIONS if path[-1] == elsewhere)


def _all_keys(setting: Setting) -> str:
    names = [path[-1] for path in OPTIONS if path[:-1] == setting.path[:-1]]
    return f"[{setting.path[0]}] has {', '.join(names)}" if setting.path[0] in SECTIONS else _all_sections()


def _all_sections() -> str:
    return f"the sections are {', '.join(SECTIONS)}"
