"""Starting training jobs from a working tree; `launch.py` beside this folder is the program."""
