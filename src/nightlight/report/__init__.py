"""A confirmed case's CyberTip becomes a document and is filed once."""
