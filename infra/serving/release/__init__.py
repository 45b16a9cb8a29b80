"""The release: how an approved model comes to the endpoint, and how it goes back."""
