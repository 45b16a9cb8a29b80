"""What images look like to a model: figures of their pixels, the network's pooled features, its answers.

The gate observes test images (the baseline of drift), a nightly job images of production. Both write the file
of docs/schemas/observation.schema.json, and monitoring/drift compares the two.
"""
