"""The page for people in the account: its files and its login, as a part of the API stack."""
