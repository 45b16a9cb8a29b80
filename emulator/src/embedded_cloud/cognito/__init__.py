"""Cognito's managed login as a browser meets it: AWS's own host names, branding, groups at each token."""
