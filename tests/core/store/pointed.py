"""A pointer to a table in a bucket."""

from tasks.core.remote.manifests import StoreOptions, TablePointer
from tasks.core.workspace.manifest import write_manifest
from tests.buckets import BUCKET


def point(path, endpoint, shop, patience=5.0):
    options = StoreOptions(endpoint=endpoint, bulk_delete=False, patience=patience)
    url = f"s3://{BUCKET}/{shop}/views/{path.name}"
    write_manifest(path, TablePointer(url=url, options=options))
    return path
