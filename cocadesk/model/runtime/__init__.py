"""Running a network: torch and OpenVINO towers, and the backend that joins them."""
