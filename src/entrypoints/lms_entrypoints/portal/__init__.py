"""The web portal: pages, their view models and the words on them."""
