"""IAM: who asks, which rights a request needs, and whether the caller has them."""
