"""Static files named by their content, imports between ES modules included; and the page that nginx sends by itself."""

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile
from django.template.loader import render_to_string

from ecni.shared.offline import UNANSWERED
from ecni.supervisor.nginx import WAITING_PAGE


class HashedModules(ManifestStaticFilesStorage):
    """Rewrites `import` and `export … from` paths to hashed names, so that a cached page never mixes two releases."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # one for each module on the longest way from a page to a leaf, at most

    def post_process(self, *given: Any, **options: Any) -> Iterator[Any]:
        """Name every file, then write the page that has newcomers wait, on these names."""
        yield from super().post_process(*given, **options)
        if not options.get("dry_run"):
            self.delete(WAITING_PAGE)
            self.save(WAITING_PAGE, ContentFile(render_to_string(UNANSWERED)))
            yield WAITING_PAGE, WAITING_PAGE, True
