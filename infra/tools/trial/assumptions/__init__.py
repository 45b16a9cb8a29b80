"""Every assumption about AWS that no machine of ours can prove; docs/first-account.md shows the list."""

from infra.tools.trial.assumptions import answers, deploy, page, pipeline, release, teardown

ASSUMPTIONS = (
    *deploy.ASSUMPTIONS,
    *pipeline.ASSUMPTIONS,
    *release.ASSUMPTIONS,
    *answers.ASSUMPTIONS,
    *page.ASSUMPTIONS,
    *teardown.ASSUMPTIONS,
)
