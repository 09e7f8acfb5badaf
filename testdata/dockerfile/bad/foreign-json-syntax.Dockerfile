{"syntax": "example.com/other:1",
 "steps": []}
