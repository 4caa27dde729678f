"""translate, in the making."""


def translate(*args, **kwargs):
    raise NotImplementedError
