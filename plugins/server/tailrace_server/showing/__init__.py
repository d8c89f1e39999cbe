"""How values are shown: by what they are, never more of them than fits on a page. `values` is the way in."""
