curl -s -X POST -H "Authorization: Bearer $ACCESS_TOKEN" \
-H "x-customer-token: $CUSTOMER_TOKEN" \
https://connect.reportei.com/customer-integrations/session
