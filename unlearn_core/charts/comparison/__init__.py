"""All methods on one forget request, as one table and one chart, beside the original and the retrained model."""
