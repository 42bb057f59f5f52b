"""What the process measures about itself: loop lag, resources, log. No Textual here: headless runs measure the same."""
