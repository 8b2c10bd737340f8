"""Uploaded checkpoints: checked, loaded in a sandbox, converted to safetensors."""
