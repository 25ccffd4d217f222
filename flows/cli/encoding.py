"""The verb that encodes: what is new, everything anew, or by the encoder that is to follow."""

from __future__ import annotations

from pathlib import Path

import click

from flows.cli.making import start_prefect
from flows.cli.options import json_option, root_option
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


@click.command()
@click.option("--rebuild", is_flag=True, help="Encode everything anew, also by another encoder.")
@click.option(
    "--migrate",
    is_flag=True,
    help="Bring the encoder that embed.next names; the one before answers until all is there.",
)
@click.option(
    "--look-first",
    "look",
    is_flag=True,
    help="With --migrate: show how each view would do, and let the encoder before go on.",
)
@click.option("--call-off", "off", is_flag=True, help="Give up what the next encoder has made.")
@json_option
@root_option
def embed(rebuild: bool, migrate: bool, look: bool, off: bool, as_json: bool, root: Path) -> None:
    """Encode what is new or changed, retire what is gone."""
    if rebuild + migrate + off > 1:
        raise InputError(
            "embed: found several of --rebuild, --migrate and --call-off; expected one of them"
        )
    if look and not migrate:
        raise InputError("embed: found --look-first alone; expected it with --migrate; give both")
    if off:
        _call_off(Paths(root), as_json=as_json)
        return
    if migrate:
        _migrate(Paths(root), look_first=look, as_json=as_json)
        return
    from flows.cli.show import reports
    from flows.state import libraries, staleness
    from tasks.core.encoding.same_encoder import check_encoder
    from tasks.core.settings.params import load_params

    paths = Paths(root)
    params = load_params(paths.params)
    if not paths.stamp("ingest").is_file():
        raise InputError("data/corpus: no corpus yet; expected one; run 'refract ingest'")
    verdict = staleness.embed_verdict(paths, params)
    if not rebuild:
        if not verdict.stale:
            reports.nothing_to_do("embed", verdict.reason, as_json=as_json)
            return
        check_encoder(paths.base_table, params.embed)
    start_prefect(paths, lambda: libraries.to_embed(paths, params, rebuild=rebuild))
    from flows.embed import embed as flow

    reports.tell(flow(root, rebuild), reports.embedded, as_json=as_json)


def _migrate(paths: Paths, *, look_first: bool, as_json: bool) -> None:
    from flows.cli.show import next_encoder, reports
    from flows.migration.checking import check
    from flows.migration.turning import was_stopped
    from flows.migration.upcoming import opened
    from flows.state import libraries
    from tasks.core.settings.params import load_params

    if was_stopped(paths):
        next_encoder.turned(as_json=as_json)
        return
    check(paths, load_params(paths.params))
    _, params = opened(paths.root, upcoming=True)
    start_prefect(paths, lambda: libraries.to_embed(paths, params, rebuild=True))
    from flows.migrate import migrate

    reports.tell(migrate(paths.root, look_first), next_encoder.migrated, as_json=as_json)


def _call_off(paths: Paths, *, as_json: bool) -> None:
    from flows.cli.show import next_encoder
    from flows.migration.upcoming import call_off
    from tasks.core.settings.params import load_params

    params = load_params(paths.params)
    next_encoder.called_off(call_off(paths), params, as_json=as_json)
