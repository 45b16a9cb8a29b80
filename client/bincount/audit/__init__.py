"""Which labels of a sealed dataset look wrong, and a page on which a person goes through them.

torch, timm, scikit-learn and cleanlab are needed, which the plain client does not install:
`pip install 'bincount[audit]'`.
"""
