"""CodeBuild without Docker: a project's build specification is run, by a shell, with the project's role."""
