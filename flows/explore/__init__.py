"""The workspace in a browser, and by http for programs: `refract explore`."""
