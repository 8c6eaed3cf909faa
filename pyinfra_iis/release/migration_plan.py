"""Runs on the server, in a release's virtual environment and with its settings: prints the migrations that `migrate` would make, as JSON. Changes nothing."""

import json
import os
import sys

# Settings may look at the command line, and they and applications may print.
sys.argv = ["manage.py", "migrate", "--plan"]
answer, sys.stdout = sys.stdout, sys.stderr

import django  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402

django.setup()
connection = connections["default"]
name = str(connection.settings_dict["NAME"])
plan = []
problem = ""
if connection.vendor == "sqlite" and not os.path.exists(name):
    # To connect would make the file.
    problem = f"the database {os.path.basename(name)} is not there yet"
else:
    executor = MigrationExecutor(connection)
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        plan.append([str(migration), [operation.describe() for operation in migration.operations]])
answer.write(json.dumps({"plan": plan, "problem": problem}))
