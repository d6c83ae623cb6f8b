"""Mobile push: FCM HTTP v1 and APNs over HTTP/2. Which of them carries a message, its token says (`devices`)."""
