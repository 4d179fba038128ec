"""REST: a thin in-process transcoder driven by the descriptors. No route, schema or codec is written by hand."""
