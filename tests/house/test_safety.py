"""What must never be switched off: certificates, cancellation, the end of a wait."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

BOUNDED = {"move_on_after", "move_on_at", "fail_after", "fail_at"}
OUTERMOST = {"bot4/trio_run.py"}
"""Above it there is nobody left to raise to."""


def unchecked_tls(path: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        found = ""
        match node:
            case ast.keyword(
                arg="verify" | "check_hostname" as name, value=ast.Constant(value=False)
            ):
                found = f"{name}=False"
            case ast.Assign(
                targets=[ast.Attribute(attr="check_hostname")], value=ast.Constant(value=False)
            ):
                found = "check_hostname = False"
            case (
                ast.Attribute(
                    attr="CERT_NONE" | "CERT_OPTIONAL" | "_create_unverified_context" as name
                )
                | ast.Name(id="CERT_NONE" | "CERT_OPTIONAL" | "_create_unverified_context" as name)
            ):
                found = name
        if found:
            yield (
                f"{path}:{node.lineno}: Found {found}. "
                f"Expected certificates and names checked, with a CA file for the simulator. "
                f"Reason: a connection anybody can answer gets our orders and keys."
            )


def swallowed(path: str, text: str) -> Iterator[str]:
    if path in OUTERMOST:
        return
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.ExceptHandler)
            and _catches_everything(node.type)
            and not any(isinstance(inner, ast.Raise) for inner in _own(node))
        ):
            yield (
                f"{path}:{node.lineno}: Found a handler of everything that never raises. "
                f"Expected a raise in it, or a narrower exception. "
                f"Reason: it eats Cancelled and KeyboardInterrupt, and the stop hangs."
            )
        if (
            isinstance(node, ast.Call)
            and _last(node.func) == "suppress"
            and any(_catches_everything(argument) for argument in node.args)
        ):
            yield (
                f"{path}:{node.lineno}: Found suppress(BaseException). "
                f"Expected a narrower exception. "
                f"Reason: it eats Cancelled and KeyboardInterrupt, and the stop hangs."
            )


def endless_shields(path: str, text: str) -> Iterator[str]:
    tree = ast.parse(text)
    bounded_names = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.withitem)
            and isinstance(node.context_expr, ast.Call)
            and _bounded(node.context_expr)
            and node.optional_vars is not None
        ):
            bounded_names.add(ast.unparse(node.optional_vars))
    for node in ast.walk(tree):
        match node:
            case ast.Call(keywords=keywords) if any(
                k.arg == "shield" and not _is(k.value, value=False) for k in keywords
            ):
                endless = not _bounded(node)
            case ast.Assign(targets=[ast.Attribute(attr="shield", value=scope)], value=value):
                endless = not _is(value, value=False) and ast.unparse(scope) not in bounded_names
            case _:
                endless = False
        if endless:
            yield (
                f"{path}:{node.lineno}: Found a shield without a deadline. "
                f"Expected move_on_after(LIMIT_S, shield=True) or a deadline. "
                f"Reason: a shield that never ends is a stop that never ends."
            )


def _bounded(call: ast.Call) -> bool:
    if _last(call.func) in BOUNDED:
        limits = list(call.args)
        limits += [k.value for k in call.keywords if k.arg in {"seconds", "deadline"}]
    else:
        limits = [k.value for k in call.keywords if k.arg in {"deadline", "relative_deadline"}]
    return bool(limits) and not re.search(r"\binf\b", ast.unparse(limits[0]))


def _catches_everything(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_catches_everything(one) for one in kind.elts)
    return kind is None or _last(kind) in {"BaseException", "BaseExceptionGroup", "Cancelled"}


def _own(handler: ast.ExceptHandler) -> Iterator[ast.AST]:
    """Yield the handler's nodes, without those of functions defined in it."""
    waiting: list[ast.AST] = list(handler.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rsplit(".", 1)[-1]


def _is(node: ast.expr, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_certificates_are_always_checked(
    programs: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in programs.items() for f in unchecked_tls(*item))


def test_an_unchecked_certificate_is_found():
    for offender in (
        "httpx.AsyncClient(verify=False)",
        "context.verify_mode = ssl.CERT_NONE",
        "from ssl import CERT_NONE\ncontext.verify_mode = CERT_NONE",
        "context.check_hostname = False",
        "context = ssl._create_unverified_context()",
    ):
        assert len(list(unchecked_tls("bot4/a.py", offender))) == 1, offender
    assert list(unchecked_tls("bot4/a.py", "httpx.AsyncClient(verify=context)")) == []


def test_nobody_swallows_a_cancellation(
    programs: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in programs.items() for f in swallowed(*item))


def test_a_swallowed_cancellation_is_found():
    for offender in (
        "try:\n    f()\nexcept BaseException:\n    pass",
        "try:\n    f()\nexcept:\n    log()",
        "try:\n    f()\nexcept (OSError, BaseException) as e:\n    return_value = e",
        "try:\n    f()\nexcept trio.Cancelled:\n    pass",
        "try:\n    f()\nexcept BaseException:\n    def later():\n        raise\n",
        "with contextlib.suppress(BaseException):\n    f()",
    ):
        assert len(list(swallowed("bot4/a.py", offender))) == 1, offender
    for innocent in (
        "try:\n    f()\nexcept BaseException:\n    undo()\n    raise",
        "try:\n    f()\nexcept BaseException as e:\n    raise Ours from e",
        "try:\n    f()\nexcept Exception:\n    pass",
    ):
        assert list(swallowed("bot4/a.py", innocent)) == [], innocent


def test_every_shield_has_an_end(
    programs: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in programs.items() for f in endless_shields(*item))


def test_an_endless_shield_is_found():
    for offender in (
        "with trio.CancelScope(shield=True):\n    pass",
        "with trio.CancelScope() as scope:\n    scope.shield = True",
        "with trio.move_on_after(math.inf, shield=True):\n    pass",
        "with trio.CancelScope(deadline=inf, shield=True):\n    pass",
        "with trio.move_on_after(float('inf'), shield=on):\n    pass",
        "self.scope.shield = True",
    ):
        assert len(list(endless_shields("bot4/a.py", offender))) == 1, offender
    for innocent in (
        "with trio.move_on_after(LIMIT_S, shield=True):\n    pass",
        "with trio.CancelScope(deadline=at, shield=True):\n    pass",
        "with trio.move_on_at(end) as scope:\n    scope.shield = True",
        "with trio.CancelScope(shield=False):\n    pass",
        "limits.infinity_s = 3",
    ):
        assert list(endless_shields("bot4/a.py", innocent)) == [], innocent
