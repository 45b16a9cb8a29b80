"""ministack is private ground: every name we touch is checked, and a change fails with one clear line."""

import pytest
from embedded_cloud.ministack_hooks.hooks import REPLACED, USED, Hook, HookError, verify


def test_the_installed_ministack_has_every_hook_as_expected():
    verify()


def test_a_hook_that_is_gone_is_named():
    gone = Hook(module="ministack.services.stepfunctions", name="_no_such_hook", reason="size limit")
    with pytest.raises(
        HookError, match=r"^ministack has no ministack\.services\.stepfunctions\._no_such_hook"
    ):
        verify((gone,))


def test_a_hook_with_another_signature_is_named():
    changed = Hook(
        module="ministack.services.stepfunctions",
        name="_error_matches",
        parameters=("error",),
        reason="catch",
    )
    with pytest.raises(HookError, match=r"_error_matches \(catch\) takes \('error_equals', 'error'\)"):
        verify((changed,))


def test_another_version_of_ministack_is_an_error():
    with pytest.raises(HookError, match=r"needs ministack 9\.9\.9 exactly, found 1\.5\.33"):
        verify(version="9.9.9")


def test_every_hook_says_why():
    assert [hook.name for hook in REPLACED + USED if not hook.reason] == []
