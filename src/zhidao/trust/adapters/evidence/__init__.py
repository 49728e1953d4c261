"""Where evidence comes from: folders, https, bundled contexts."""
