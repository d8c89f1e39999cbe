"""The near side of the seam: decides, commits, acts."""
