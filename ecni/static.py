"""Static files named by their content, imports between ES modules included."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedModules(ManifestStaticFilesStorage):
    """Rewrites `import` and `export … from` paths to hashed names, so that a cached page never mixes two releases."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # one for each module on the longest way from a page to a leaf, at most
