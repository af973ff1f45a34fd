"""The page of maps: media as points, by what they show or where they were taken."""
