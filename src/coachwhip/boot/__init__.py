"""Python that runs inside products: the standard library only, nothing of `coachwhip`.

Each module here is put into a product's image under the name that its file has.
"""
