"""Nothing outside use cases writes: no call that saves, and no statement of SQL that does."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import RequestFactory

from accounts.models import User
from tests.architecture.tree import Module, modules

# Who may, and why. A line that no longer holds fails too.
EXCEPTIONS = {
    "accounts/admin.py CardinalUserAdmin.save_formset: save": "commit=False: it reads the forms, use cases write",
    "accounts/texts.py write_personal_text: create": "a part of use cases: it seals what they are told to keep",
    "accounts/files.py write_personal_file: save": "a part of use cases: it seals what they are told to keep",
    "accounts/files.py remove_personal_file: delete": "a part of use cases: it takes away what they kept for a moment",
    "inference_workers/admin.py EndpointAdmin.delete_queryset: delete": "the admin deletes by itself, here less of it",
    "foundation/media/anew.py _written: save": "Pillow writes the picture into memory",
    "foundation/key_mark.py leave_mark: get_or_create": "a part of migrate: it says whose database this is",
    "foundation/media/uniform.py _write_picture: save": "Pillow writes the picture that visitors see into its file",
    "annotation/web/sample_media.py _lighthouse: save": "Pillow writes the picture that a preview shows into memory",
    "foundation/idempotency.py : INSERT": "the key is written in the transaction of the use case's effect",
    "foundation/planned.py _insertion: INSERT": "what use cases write by `insert_planned`, watched like `save`",
    "foundation/idempotency.py forget_expired: delete": "answers nobody may ask for again; they belong to no app",
}
# These do not know Django's models: what looks like a write there is one to something else.
NO_MODELS = ("config/launch/", "ranking/", "inference_workers/engine/")
ALLOWED_FOLDERS = {"use_cases", "migrations", "tests"}

ALWAYS = {
    "save", "asave", "save_base", "bulk_create", "abulk_create", "bulk_update", "abulk_update",
    "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create", "_raw_delete",
}  # fmt: skip
FUNCTIONS = {"insert_planned"}
# Dictionaries, hashes and Redis take arguments by position; managers and rows never do.
BY_NAME_ONLY = {"create", "acreate", "update", "aupdate", "delete", "adelete"}
ON_RELATED_MANAGERS = {"add", "aadd", "set", "aset", "remove", "aremove", "clear", "aclear"}
SQL = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\S+\s+(\w+\s+)?SET|DELETE\s+FROM|TRUNCATE\s+\w|COPY\s+\S.*\bFROM)\b")


def related_managers() -> set[str]:
    """Names under which a row's relations to many are reached."""
    names = set()
    for model in apps.get_models():
        names |= {field.name for field in model._meta.many_to_many}
        names |= {relation.get_accessor_name() for relation in model._meta.related_objects if relation.multiple}
    return names


def is_write(call: ast.Call, managers: set[str]) -> bool:
    method = call.func
    if isinstance(method, ast.Name):
        return method.id in FUNCTIONS
    if not isinstance(method, ast.Attribute):
        return False
    receiver = method.value
    if isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Name) and receiver.func.id == "super":
        return False
    if method.attr in ON_RELATED_MANAGERS:
        return isinstance(receiver, ast.Attribute) and receiver.attr in managers
    return method.attr in ALWAYS or (method.attr in BY_NAME_ONLY and not call.args)


def docstrings(tree: ast.Module) -> set[ast.AST]:
    return {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def writes(module: Module) -> Iterator[str]:
    """Each write as `path function: verb`."""
    tree = module.tree
    managers, prose = related_managers(), docstrings(tree)

    def visit(node: ast.AST, inside: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            name = inside
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{inside}.{child.name}".lstrip(".")
            if isinstance(child, ast.Call) and is_write(child, managers):
                yield f"{module.path} {name}: {getattr(child.func, 'attr', None) or child.func.id}"
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and child not in prose:
                yield from (f"{module.path} {name}: {found[0].split()[0]}" for found in SQL.finditer(child.value))
            yield from visit(child, name)

    yield from visit(tree, "")


def is_watched(module: Module) -> bool:
    return not (module.folders & ALLOWED_FOLDERS) and not module.path.startswith(NO_MODELS)


def test_nothing_writes_outside_use_cases():
    found = {write for module in modules() if is_watched(module) for write in writes(module)}
    assert sorted(found) == sorted(EXCEPTIONS)


def test_what_is_left_alone_knows_no_models():
    """Folders that are not watched import neither Django's models nor any of ours."""
    known = re.compile(r"^\s*(from|import) (django\.db|\w+\.models\b|arena|annotation|accounts)", re.MULTILINE)
    assert [m.path for m in modules() if m.path.startswith(NO_MODELS) and known.search(m.source)] == []


# Pages of the admin that Django saves by itself, and why no use case stands behind them.
DJANGO_SAVES = {
    "accounts.User": "names, e-mail addresses and passwords are Django's; roles go through use cases",
    "auth.Group": "Django's own",
}


def saves_by_itself(page: admin.ModelAdmin) -> bool:
    """Whether a superuser can save on this page, and nothing of ours stands between."""
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_staff=True)
    may_save = page.has_add_permission(request) or page.has_change_permission(request)
    return may_save and type(page).save_model is admin.ModelAdmin.save_model


def test_what_the_admin_saves_goes_through_use_cases():
    ours = {"accounts", "inference_workers", "annotation", "arena", "foundation", "auth"}
    found = {
        model._meta.label
        for model, page in admin.site._registry.items()
        if model._meta.app_label in ours and saves_by_itself(page)
    }
    assert found == set(DJANGO_SAVES)


PLANTED = [
    ("item.save()", "save"),
    ("item.save(update_fields=['state'])", "save"),
    ("form.save(commit=False)", "save"),
    ("Item.objects.create(campaign=campaign)", "create"),
    ("await Item.objects.acreate(campaign=campaign)", "acreate"),
    ("Item.objects.filter(pk=1).update(state='void')", "update"),
    ("Item.objects.filter(pk=1).delete()", "delete"),
    ("item.delete()", "delete"),
    ("insert_planned(item)", "insert_planned"),
    ("Item.objects.bulk_create(rows)", "bulk_create"),
    ("Item.objects.get_or_create(pk=1)", "get_or_create"),
    ("user.groups.add(group)", "add"),
    ("user.role_grants.set([])", "set"),
    ("cursor.execute('DELETE FROM annotation_item')", "DELETE"),
    ("cursor.execute('UPDATE annotation_item i SET state = %s', [x])", "UPDATE"),
    ("cursor.execute(f'INSERT INTO {table} SELECT 1')", "INSERT"),
]


@pytest.mark.parametrize(("statement", "verb"), PLANTED)
def test_a_planted_write_is_seen(statement, verb):
    module = Module("arena/web/planted.py", f"class View:\n    async def post(self, request):\n        {statement}\n")
    assert list(writes(module)) == [f"arena/web/planted.py View.post: {verb}"]


HARMLESS = [
    "names.update({'a': 1})",
    "digest.update(block)",
    "redis.delete(key)",
    "venv.create(home, clear=True)",
    "super().save(*args, **kwargs)",
    "seen.add(name)",
    "cursor.execute('SELECT 1 FOR UPDATE SKIP LOCKED')",
]


@pytest.mark.parametrize("statement", HARMLESS)
def test_what_only_looks_like_a_write_is_left_alone(statement):
    assert list(writes(Module("arena/web/planted.py", f"def act():\n    {statement}\n"))) == []
