"""The Operations stack: alarms, dashboard, budget."""
