"""Runs on the server, in a release's virtual environment and with its settings: prints the migrations that `migrate` would make, as JSON. Changes nothing."""

import json
import os
import sys

import django
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

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
sys.stdout.write(json.dumps({"plan": plan, "problem": problem}))
