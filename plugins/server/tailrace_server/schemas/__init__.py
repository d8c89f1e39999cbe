"""The shapes of the API: attrs classes, with the words and limits of each field. The document is made from them."""
