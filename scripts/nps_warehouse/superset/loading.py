"""Brings Superset to what is described here: its own tables, assets, roles, people, rules of rows.

Runs in the environment of requirements/superset.txt, where Superset is. Doing it again changes
nothing; what is no longer described, or nobody stands for, goes.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import superset
from flask_appbuilder.security.sqla.models import Role, User
from flask_migrate import upgrade
from superset.app import create_app

from nps_warehouse.superset.assets import CERTIFIED_BY, assets, id_of
from nps_warehouse.superset.description import Dashboard, Datasets
from nps_warehouse.superset.people import ADMIN, MANAGER, OURS, READER, Person, Rule, rules_of

READ_ONLY = {
    "can_write",
    "can_add",
    "can_edit",
    "can_delete",
    "can_export",
    "can_warm_up_cache",
    "can_set_embedded",
    "can_delete_embedded",
    "can_bulk_create",
    "can_cache_dashboard_screenshot",
    "can_export_as_example",
    "can_import_",
}
"""What of Superset's role Gamma readers have not got: charts and dashboards are code."""

WRITTEN_WHILE_READING = {
    "DashboardFilterStateRestApi",
    "DashboardPermalinkRestApi",
    "ExploreFormDataRestApi",
    "ExplorePermalinkRestApi",
    "CurrentUserRestApi",
    "UserRestApi",
}
MENUS_NOT_SHOWN = {"SQL Lab", "SQL Editor", "Saved Queries", "Query Search", "Import Dashboards"}


def load(
    pages: Sequence[Dashboard],
    known: Datasets,
    published: Path,
    manifest: Path,
    people: Sequence[Person],
    admin: tuple[str, str],
    environ: Mapping[str, str],
) -> None:
    """Bring Superset to what is described.

    Args:
        pages: the dashboards.
        known: the datasets.
        published: the file that is shown.
        manifest: dbt's `manifest.json`.
        people: who logs in besides the administrator.
        admin: the administrator's name and password.
        environ: environment variables, for first passwords.

    Raises:
        DescriptionError: a description does not fit what is published.
    """
    contents = assets(pages, known, published, manifest)
    app = create_app()
    with app.app_context():
        upgrade(directory=str(Path(superset.__file__).with_name("migrations")))
        superset.appbuilder.add_permissions(update_perms=True)
        superset.security_manager.sync_role_definitions()
        administrator = _user(admin[0], admin[1], [ADMIN])
        _import(contents, administrator)
        _remove_others(pages, known)
        _reader()
        _people(people, environ)
        _rules(rules_of(people, known.by_name))
        superset.db.session.commit()


def _import(contents: Mapping[str, str], administrator: Any) -> None:
    # Superset's modules want an application before they can be loaded.
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.utils.core import override_user

    with override_user(administrator):
        ImportAssetsCommand(dict(contents)).run()


def _remove_others(pages: Sequence[Dashboard], known: Datasets) -> None:
    """Remove what an earlier import has made and this one has not."""
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard as Page
    from superset.models.slice import Slice

    session = superset.db.session
    charts = {id_of("chart", page.name, chart.name) for page in pages for chart in page.charts}
    mine = {id_of("dashboard", page.name) for page in pages}
    tables = {id_of("dataset", name) for name in known.by_name}
    database = session.query(Database).filter_by(uuid=id_of("database")).one()
    found = [
        *(
            one
            for one in session.query(Page).filter_by(certified_by=CERTIFIED_BY)
            if str(one.uuid) not in mine
        ),
        *(
            one
            for one in session.query(Slice).filter_by(certified_by=CERTIFIED_BY)
            if str(one.uuid) not in charts
        ),
        *(
            one
            for one in session.query(SqlaTable).filter_by(database_id=database.id)
            if str(one.uuid) not in tables
        ),
    ]
    for one in found:
        session.delete(one)
    session.flush()


def _reader() -> None:
    """The role of everybody in the list: to read what is here, and nothing else."""
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database

    manager = superset.security_manager
    session = superset.db.session
    role = _role(READER)
    permissions = [
        one
        for one in manager.find_role("Gamma").permissions
        if one.view_menu.name not in MENUS_NOT_SHOWN
        and (one.permission.name not in READ_ONLY or one.view_menu.name in WRITTEN_WHILE_READING)
    ]
    database = session.query(Database).filter_by(uuid=id_of("database")).one()
    permissions += [
        manager.add_permission_view_menu("datasource_access", dataset.get_perm())
        for dataset in session.query(SqlaTable).filter_by(database_id=database.id)
    ]
    role.permissions = permissions
    _role(MANAGER)
    session.flush()


def _role(name: str) -> Any:
    manager = superset.security_manager
    return manager.find_role(name) or manager.add_role(name)


def _user(name: str, password: str, roles: Sequence[str], *, keep_password: bool = False) -> Any:
    manager = superset.security_manager
    wanted = [_role(role) for role in roles]
    user = manager.find_user(username=name)
    if user is None:
        user = manager.add_user(name, name, "", f"{name}@localhost", wanted[0], password=password)
        if not user:
            raise RuntimeError(f"Superset did not take the user {name}; its message is above")
    elif not keep_password:
        manager.reset_password(user.id, password)
    user.roles = wanted
    user.active = True
    superset.db.session.flush()
    return user


def _people(people: Sequence[Person], environ: Mapping[str, str]) -> None:
    """Users of the list; who was in it and no longer is may not log in."""
    session = superset.db.session
    for person in people:
        password = environ.get(person.password_from or "", "")
        if not password:
            # Nobody knows it: an administrator sets one, or people log in by other means.
            password = secrets.token_urlsafe(32)
        _user(person.username, password, person.roles, keep_password=True)
    named = {person.username for person in people}
    for user in session.query(User):
        ours = [role for role in user.roles if role.name.startswith(OURS)]
        if ours and user.username not in named:
            print(f"superset: {user.username} is no longer in the list", file=sys.stderr)
            user.roles = [role for role in user.roles if role not in ours]
            user.active = False
    session.flush()


def _rules(rules: Sequence[Rule]) -> None:
    """Make the rules of rows anew, and remove roles that nobody stands for."""
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable
    from superset.models.core import Database

    session = superset.db.session
    database = session.query(Database).filter_by(uuid=id_of("database")).one()
    tables = {
        one.table_name: one for one in session.query(SqlaTable).filter_by(database_id=database.id)
    }
    kept = {rule.name for rule in rules}
    existing = {one.name: one for one in session.query(RowLevelSecurityFilter)}
    for name, old in existing.items():
        if name.startswith(OURS) and name not in kept:
            session.delete(old)
    for rule in rules:
        made = existing.get(rule.name) or RowLevelSecurityFilter(name=rule.name)
        made.filter_type = "Base" if rule.is_base else "Regular"
        made.roles = [_role(name) for name in rule.roles]
        made.tables = [tables[name] for name in rule.datasets]
        made.clause = rule.clause
        made.group_key = rule.group
        made.description = "Made by scripts/superset"
        session.add(made)
    session.flush()
    used = {role for rule in rules for role in rule.roles} | {READER, MANAGER}
    for role in session.query(Role):
        if role.name.startswith(OURS) and role.name not in used:
            session.delete(role)
