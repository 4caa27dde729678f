"""The whole book as one page, which `make pdf` prints: Sphinx's singlehtml builder."""


def share_handlers(app):
    """singlehtml writes the same HTML: what knows how to write a node for a page knows it here too.

    Sphinx looks up a builder by name first, and one extension that names singlehtml hides
    the handlers of all those that name html alone.
    """
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = {**handlers["html"], **handlers.get("singlehtml", {})}


def setup(app):
    app.connect("builder-inited", share_handlers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
