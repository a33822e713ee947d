"""What the description says in words, and a generator of requests does not read."""

import re
import uuid

import schemathesis

KEY = "Idempotency-Key"
QUOTED = re.compile(r'"([ !#-\[\]-~]|\\["\\]){1,256}"')


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Each report has a key of its own: one that was used for another report is refused."""
    key = (case.headers or {}).get(KEY)
    if key is None:
        return
    # One that is wrong on purpose stays as it is.
    means_well = case.meta is not None and case.meta.generation.mode.is_positive
    if means_well or (isinstance(key, str) and QUOTED.fullmatch(key)):
        case.headers[KEY] = f'"{uuid.uuid4()}"'
